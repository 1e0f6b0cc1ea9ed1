"""How large an event was: scales by method, attenuation laws, network values."""
