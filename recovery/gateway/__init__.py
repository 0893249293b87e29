"""HTTP to Knox, Livy, WebHDFS and YARN. No Django in it: usable from a plain Python shell."""
