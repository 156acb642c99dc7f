"""What the rows know about a show, learned from its training episodes alone."""
