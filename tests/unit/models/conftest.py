from workplace import workplace

__all__ = ["workplace"]
