#include "workload/image_reference.hpp"

#include <gtest/gtest.h>

namespace kruise::workload {
namespace {

TEST(ImageReferenceTest, Normalizes) {
  const std::pair<const char*, const char*> cases[] = {
      {"nginx", "docker.io/library/nginx:latest"},
      {"nginx:1", "docker.io/library/nginx:1"},
      {"library/nginx:1", "docker.io/library/nginx:1"},
      {"docker.io/nginx:1", "docker.io/library/nginx:1"},
      {"index.docker.io/library/nginx:1", "docker.io/library/nginx:1"},
      {"team/app", "docker.io/team/app:latest"},
      {"localhost/app:2", "localhost/app:2"},
      {"registry:5000/app", "registry:5000/app:latest"},
      {"registry:5000/app:1", "registry:5000/app:1"},
      {"example.com/a/b:1", "example.com/a/b:1"},
      {"nginx@sha256:ab", "docker.io/library/nginx@sha256:ab"},
      {"nginx:1@sha256:ab", "docker.io/library/nginx@sha256:ab"},
      {"", ""},
  };
  for (const auto& [image, full] : cases) EXPECT_EQ(normalized_image(image), full);
  EXPECT_TRUE(same_image("nginx:1", "docker.io/library/nginx:1"));
  EXPECT_FALSE(same_image("nginx:1", "nginx:2"));
}

}  // namespace
}  // namespace kruise::workload
