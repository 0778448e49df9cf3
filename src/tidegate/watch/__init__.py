"""The room that asks: are we safe right now, would we be tomorrow, and what did yesterday teach us?"""
