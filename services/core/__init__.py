"""What every service needs and no service owns: settings, database, clock, errors, logging."""
