//! The wire formats of game providers, to and from wallet commands.
