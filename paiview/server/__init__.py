"""The web server around Streamlit: settings, security checks, headers, HTTP API and metrics."""
