"""The whole graph in a folder, and a workspace made of it again."""
