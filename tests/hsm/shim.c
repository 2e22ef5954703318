/* A PKCS#11 module in front of the one named by SHIM_MODULE, for faults on request.
 *
 * Each call is written to the file SHIM_LOG ("18 6": C_Login with a PIN of six bytes), and the file SHIM_FAULTS is
 * read before it. Its lines:
 *   fault N hang | crash | crash-after | rv CODE     what function N of the list does instead, or afterwards
 *   event                                            C_WaitForSlotEvent tells of one, once at each question
 *   flags MASK                                       bits added to CK_TOKEN_INFO.flags
 *   pin MIN MAX                                      the PIN length limits shown
 *   serial TEXT, manufacturer TEXT, model TEXT       what CK_TOKEN_INFO shows
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef unsigned long word;
typedef word (*function)(word, word, word, word, word, word);
struct list { unsigned char version[2]; function entry[68]; };
struct token_info {
    unsigned char label[32], manufacturer[32], model[16], serial[16];
    word flags, sessions[4], max_pin, min_pin, memory[4];
    unsigned char versions[4], time[16];
};

static struct list shown, *real;

static void note(int n, word size) {
    char line[64];
    int length = snprintf(line, sizeof line, "%d %lu\n", n, size);
    int fd = open(getenv("SHIM_LOG"), O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (write(fd, line, length) != length) abort();
    close(fd);
}

static void crash(void) { raise(SIGSEGV); }

static void pad(unsigned char *field, size_t size, const char *text) {
    memset(field, ' ', size);
    memcpy(field, text, strlen(text) < size ? strlen(text) : size);
}

static void disguise(struct token_info *info) {
    char line[200], text[160];
    word a, b;
    FILE *file = fopen(getenv("SHIM_FAULTS"), "r");
    while (file && fgets(line, sizeof line, file)) {
        if (sscanf(line, "flags %li", (long *)&a) == 1) info->flags |= a;
        if (sscanf(line, "pin %lu %lu", &a, &b) == 2) { info->min_pin = a; info->max_pin = b; }
        if (sscanf(line, "serial %150[^\n]", text) == 1) pad(info->serial, 16, text);
        if (sscanf(line, "manufacturer %150[^\n]", text) == 1) pad(info->manufacturer, 32, text);
        if (sscanf(line, "model %150[^\n]", text) == 1) pad(info->model, 16, text);
    }
    if (file) fclose(file);
}

static word call(int n, word a, word b, word c, word d, word e, word f) {
    char line[200], what[40] = "";
    word code = 0, result;
    int event = 0;
    static int told;
    note(n, n == 18 ? d : 0);
    FILE *file = fopen(getenv("SHIM_FAULTS"), "r");
    while (file && fgets(line, sizeof line, file)) {
        if (!strcmp(line, "event\n")) event = 1;
        int which;
        char found[40];
        word number = 0;
        if (sscanf(line, "fault %d %39s %li", &which, found, (long *)&number) >= 2 && which == n) {
            strcpy(what, found);
            code = number;
        }
    }
    if (file) fclose(file);
    if (n == 67 && event && (told = !told)) return 0;
    if (!strcmp(what, "hang")) for (;;) pause();
    if (!strcmp(what, "crash")) crash();
    if (!strcmp(what, "rv")) return code;
    result = real->entry[n](a, b, c, d, e, f);
    if (!strcmp(what, "crash-after")) crash();
    if (n == 6 && result == 0) disguise((struct token_info *)b);
    return result;
}

#define WRAP(n) static word w##n(word a, word b, word c, word d, word e, word f) { return call(n, a, b, c, d, e, f); }
#define EACH(X) X(0) X(2) X(4) X(5) X(6) X(7) X(12) X(13) X(18) X(19) X(24) X(26) X(27) X(28) X(42) X(43) X(67)
EACH(WRAP)
#define PUT(n) shown.entry[n] = w##n;

word C_GetFunctionList(struct list **out) {
    word (*get)(struct list **);
    void *library = dlopen(getenv("SHIM_MODULE"), RTLD_NOW | RTLD_LOCAL);
    if (!library) return 5;
    *(void **)&get = dlsym(library, "C_GetFunctionList");
    if (get(&real)) return 5;
    shown = *real;
    EACH(PUT)
    *out = &shown;
    return 0;
}
