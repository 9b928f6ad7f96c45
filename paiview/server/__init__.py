"""The server around Streamlit: settings, headers, limits, the HTTP API, what is counted."""
