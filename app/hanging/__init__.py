"""How the images of a case hang: layouts, mammograms, the light box that joins their views."""
