"""Where orders are kept, in SQLite or PostgreSQL. The one home of SQLAlchemy, Alembic and psycopg2."""
