"""What must be fetched over the network, politely, and never twice: summaries, images, answers."""
