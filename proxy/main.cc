#include <cstdio>

int main() {
  std::puts("idemproxy " IDEM_VERSION);
  return 0;
}
