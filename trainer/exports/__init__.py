"""What the trainer takes out: McGIP's layout, relation, features."""
