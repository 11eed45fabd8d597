#include "proxy/store/embedded/data_folder.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <string>

#include "tests/support/temp_folder.h"

namespace idem::store {

TEST_CASE("the folder of recorded responses is private, whatever the umask") {
  const support::TempFolder temp;
  const std::string path = temp.path() + "/var/db";
  const mode_t before = umask(0);
  const auto folder = EmbeddedFolder::Own(path, [] { return true; });
  umask(before);
  REQUIRE(folder.has_value());
  for (const std::string& made : {path, path + "/records"}) {
    CAPTURE(made);
    struct stat status {};
    REQUIRE(stat(made.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777U) == 0700U);
  }
}

}  // namespace idem::store
