"""Many stations, one server: finished readings go there, erasures too, nothing comes back."""
