"""Files that configure something: structured documents, and what they must say."""
