"""Reading a case: page, controller, canvas, overlay, strip, answers."""
