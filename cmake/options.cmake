# How own code is compiled: warnings, hardening, sanitizers.
option(KRUISE_TESTS "build the GoogleTest executables" ON)
option(KRUISE_PYTHON "build the Python module" OFF)
option(KRUISE_BENCH "build the benchmarks" ON)
set(KRUISE_SANITIZE "" CACHE STRING "sanitizers, as for -fsanitize=")

# -O2 builds faster than -O3 and runs no slower here; without NDEBUG, for assertions are kept in release.
set(CMAKE_CXX_FLAGS_RELEASE "-O2")
# Of the sanitizers: enough to be bearable, and with assertions too.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O1")

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

add_library(kruise_flags INTERFACE)
target_compile_options(kruise_flags INTERFACE -Wall -Wextra -Wpedantic -Werror -fvisibility=hidden -fvisibility-inlines-hidden)
if(KRUISE_SANITIZE)
  # GCC finds uninitialised values in instrumented code of its own std::regex and std::function that are none.
  target_compile_options(kruise_flags INTERFACE -fsanitize=${KRUISE_SANITIZE} -fno-omit-frame-pointer -g1 -Wno-maybe-uninitialized)
  target_link_options(kruise_flags INTERFACE -fsanitize=${KRUISE_SANITIZE})
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_options(kruise_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -D_GLIBCXX_ASSERTIONS
                                                -fstack-protector-strong -fstack-clash-protection -fno-plt)
  target_link_options(kruise_flags INTERFACE -Wl,-z,relro,-z,now)
endif()
include(CheckPIESupported)
check_pie_supported()

find_program(LLD ld.lld)
if(LLD AND NOT KRUISE_SANITIZE)
  target_link_options(kruise_flags INTERFACE -fuse-ld=lld)
endif()
