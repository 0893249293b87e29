"""The pure part: states, payload, arguments, names, pacing. No I/O, no clock, no Django."""
