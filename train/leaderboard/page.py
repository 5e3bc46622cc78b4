def write_page(board, path):
    return path
