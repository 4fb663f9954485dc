"""What Bulkhead costs, measured beside what it competes with; see README.md."""
