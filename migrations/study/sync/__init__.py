"""Many stations, one server: finished readings and erasures go there, nothing comes back."""
