"""The rows of the table: what each counts, what spoils it, and when it fails."""
