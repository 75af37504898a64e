#include "Options.h"
namespace mho::mhoc {
Status writeReport(const std::string &, const std::string &) { return success(); }
}
