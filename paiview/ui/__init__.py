"""What the pages share: the frame around them, URL state, filters, tables, charts, messages."""
