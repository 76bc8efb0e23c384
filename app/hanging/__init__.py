"""How the images of a case hang: layouts, mammograms, and the light box that shows them."""
