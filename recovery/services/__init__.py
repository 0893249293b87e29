"""The use cases: keyword-only functions named by what the user wants. They own transactions, and never hold one open
over a call to the network."""
