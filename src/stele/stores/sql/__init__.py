"""The tracking store on SQLite, PostgreSQL and MySQL/MariaDB."""
