"""How far each reader of the study is: page and controller."""
