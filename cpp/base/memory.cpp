#include "base/memory.hpp"

#include <malloc.h>

namespace kruise::base {

void release_free_memory() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

}  // namespace kruise::base
