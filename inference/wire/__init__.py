"""What goes over the wire to model servers and comes back, kind by kind. No IO but in `ollama`."""
