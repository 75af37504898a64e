"""Prints a function with products of constants too large to be folded at once."""

ROWS, COLUMNS = 160, 256


def matrix(kind):
    rows = ", ".join("[" + ", ".join(f"{(i * 7 + j * 3) % 11}.0" for j in range(COLUMNS)) + "]" for i in range(ROWS))
    return f"arith.constant dense<[{rows}]> : tensor<{ROWS}x{COLUMNS}x{kind}>"


print(f"""
func.func @main(%x: tensor<2x{COLUMNS}xf32>, %y: tensor<{ROWS}x{COLUMNS}xf32>)
    -> (tensor<2x{ROWS}xf32>, tensor<{ROWS}x{COLUMNS}xf32>) {{
  %read = {matrix("f16")}
  %wide = graph.cast %read : tensor<{ROWS}x{COLUMNS}xf16> to tensor<{ROWS}x{COLUMNS}xf32>
  %turned = graph.transpose %wide [1, 0] : (tensor<{ROWS}x{COLUMNS}xf32>) -> tensor<{COLUMNS}x{ROWS}xf32>
  %product = graph.matmul %x, %turned : (tensor<2x{COLUMNS}xf32>, tensor<{COLUMNS}x{ROWS}xf32>) -> tensor<2x{ROWS}xf32>
  %added = {matrix("bf16")}
  %term = graph.cast %added : tensor<{ROWS}x{COLUMNS}xbf16> to tensor<{ROWS}x{COLUMNS}xf32>
  %sum = graph.add %y, %term : (tensor<{ROWS}x{COLUMNS}xf32>, tensor<{ROWS}x{COLUMNS}xf32>) -> tensor<{ROWS}x{COLUMNS}xf32>
  return %product, %sum : tensor<2x{ROWS}xf32>, tensor<{ROWS}x{COLUMNS}xf32>
}}
""")
