# cmake -DOUTPUT=… -DCHIPS=a.yaml|b.yaml -P EmbedChips.cmake: the chip files as
# one C++ file of raw strings.
string(REPLACE "|" ";" CHIPS "${CHIPS}")
set(entries "")
foreach(chip ${CHIPS})
  get_filename_component(name ${chip} NAME_WE)
  file(READ ${chip} text)
  string(APPEND entries "    {\"${name}\", R\"mhochip(${text})mhochip\"},\n")
endforeach()
file(WRITE ${OUTPUT} "// Generated from lib/Chip/chips.
#include \"BuiltinChips.h\"

static const mho::BuiltinChip chips[] = {
${entries}};

llvm::ArrayRef<mho::BuiltinChip> mho::builtinChips() { return chips; }
")
