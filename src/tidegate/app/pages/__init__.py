"""What every page of both faces needs: language, templates of the design system, assets, and answers over HTTP.

Words. A *face* is the storefront or the console. A *page* is HTML that a person sees. An *asset* is a file that the
build of `web/` made; its name carries a hash of its content. The *page style* is the little CSS that only this page has
(the campaign's accent, the colours that stand in for pictures); the content security policy names its hash, so that no
other inline style can act.
"""
