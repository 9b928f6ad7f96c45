"""The start of ``streamlit run app.py``. Streamlit imports the ASGI application, and runs the file for each page."""

import streamlit as st

from paiview.server.app import app_arguments
from paiview.ui import app_frame

if __name__ == "__main__":
    app_frame.run()
else:
    app = st.App(__file__, **app_arguments())
