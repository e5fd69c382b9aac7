# The headers' comments are plain `//`; Doxygen wants `///` before a declaration and `///<` behind one.
function escaped(text) {
  gsub(/\\/, "\\\\", text); gsub(/@/, "\\@", text); gsub(/</, "\\<", text); gsub(/#/, "\\#", text); gsub(/%/, "%%", text)
  return text
}
NR == 1 && /^\/\// { print "/// \\file"; print "///"; }
/^ *\/\// {
  at = index($0, "//")
  # A comment in the column of the one behind the line before continues it.
  mark = (behind == at) ? "///<" : "///"
  print substr($0, 1, at - 1) mark escaped(substr($0, at + 2))
  if (mark == "///") behind = 0
  next
}
# Moving is what it is everywhere.
/^ *[A-Za-z]+\([A-Za-z]+&&\) noexcept;/ || /operator=\([A-Za-z]+&&\) noexcept;/ { print "/// Moves; what was moved from can be destroyed or assigned to." }
{
  at = match($0, /[;,{}] *\/\/ /)
  if (at == 0) at = match($0, /[A-Za-z0-9_] +\/\/ /)
  if (at > 0 && $0 !~ /^ *#/) {
    slash = at + index(substr($0, at), "//") - 1
    code = substr($0, 1, slash - 1)
    behind = slash
    print code (code ~ /[{}] *$/ && code !~ /;/ ? "//" : "///<") escaped(substr($0, slash + 2))
    next
  }
  behind = 0
  print
}
