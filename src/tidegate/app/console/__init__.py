"""The console: the operations room of the festival, for staff.

Words. The *frame* is what stands around every page: the rooms at the left, the campaign and its phase on top. The
*wall* is the live page without the frame, for a screen that many watch. To *reveal* is to show personal data of one
order to one person for one stated purpose; it is recorded.

Every page asks for a signed-in member of staff and for the permission of its room; personal data is masked.
"""
