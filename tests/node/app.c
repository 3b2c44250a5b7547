/* What runs in the containers of the tests: a static program, so an image is this one file. Its environment and its first argument say what it is:
 *   pause   waits, as a pod's first container does.
 *   serve   answers HTTP on $PORT (8080); $VERSION is the image's.
 *     GET /version   the version
 *     GET /healthz   200; 500 after /fail, or where $BROKEN is set
 *     GET /fail      makes /healthz fail until the container is started anew
 *     GET /exit      ends the process with status 3
 *   Each start adds a line with the version to $DATA/starts, each SIGTERM one to $DATA/ends, where DATA is set.
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *of(const char *name, const char *otherwise) {
  const char *value = getenv(name);
  return value && *value ? value : otherwise;
}

static void note(const char *file) {
  char path[512];
  const char *data = getenv("DATA");
  if (!data) return;
  snprintf(path, sizeof path, "%s/%s", data, file);
  FILE *out = fopen(path, "a");
  if (!out) _exit(4);
  fprintf(out, "%s\n", of("VERSION", "none"));
  fclose(out);
}

static void end(int number) {
  (void)number;
  note("ends"); /* the program sits in accept or read, where this is safe enough */
  _exit(0);
}

static int serve(void) {
  int failing = getenv("BROKEN") != NULL, yes = 1;
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(of("PORT", "8080")))};
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(listener, (struct sockaddr *)&at, sizeof at) != 0 || listen(listener, 64) != 0) {
    perror("serve");
    return 1;
  }
  note("starts");
  for (;;) {
    int client = accept(listener, NULL, NULL);
    if (client < 0) continue;
    char request[2048], answer[512];
    ssize_t size = read(client, request, sizeof request - 1);
    request[size > 0 ? size : 0] = 0;
    if (strncmp(request, "GET /exit", 9) == 0) _exit(3);
    if (strncmp(request, "GET /fail", 9) == 0) failing = 1;
    int bad = failing && strncmp(request, "GET /healthz", 12) == 0;
    const char *version = of("VERSION", "none");
    int length = snprintf(answer, sizeof answer, "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
                          bad ? "500 Internal Server Error" : "200 OK", strlen(version), version);
    if (write(client, answer, (size_t)length) != length) perror("serve");
    close(client);
  }
}

int main(int count, char **words) {
  signal(SIGTERM, end);
  signal(SIGINT, end);
  signal(SIGPIPE, SIG_IGN);
  if (count > 1 && strcmp(words[1], "pause") == 0)
    for (;;) pause();
  return serve();
}
