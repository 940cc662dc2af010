"""The Streamlit process: pages for security analysts."""
