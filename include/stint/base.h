/*
 * base: what every other module stands on: errors, memory, text buffers, containers, time, encodings, logging and the event loop.
 *
 * It knows nothing of Kubernetes and owns no global state. Nothing here prints or exits, except that an allocation of our own
 * that fails aborts the process. The contract about errors and ownership is one page: core/base/README.md.
 */
#ifndef STINT_BASE_H
#define STINT_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define STINT_PRINTF(format_at, args_at) __attribute__((format(printf, format_at, args_at)))
#define STINT_CLEANUP(function) __attribute__((cleanup(function)))
#define STINT_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- errors -------------------------------------------------------------------------------------------------------------- */

/* The numbers are the exit codes of `stint` (contracts: exit codes), so that a program can end with what a library said. */
enum stint_code {
	STINT_OK = 0,
	STINT_FAILED = 1, /* anything that has no code of its own */
	STINT_USAGE = 2, /* the input is wrong: what, where, what to do */
	STINT_NOT_FOUND = 3,
	STINT_FORBIDDEN = 4, /* not allowed, or not known who asks */
	STINT_CONFLICT = 5, /* exists already, or was changed by somebody else */
	STINT_TIMEOUT = 6,
	STINT_UNSCHEDULABLE = 7, /* can never run as asked */
	STINT_UNREACHABLE = 8, /* no answer from the cluster */
	STINT_INTERRUPTED = 130,
};

/*
 * What went wrong, in one sentence for a person, without a final newline. `reason` is the machine's word for it (a Kubernetes
 * StatusReason such as "AlreadyExists") or empty. `status` is the HTTP status when a server answered, else 0.
 */
struct stint_error {
	enum stint_code code;
	int status;
	int64_t retry_after_ms; /* how long the server asked to wait; -1 when it said nothing */
	char reason[64];
	char *message;
};

/*
 * Sets *err unless err is NULL; an error that is already there is replaced. Returns false, so that a function can end with
 * `return stint_fail(err, ...)`. The message is formatted and owned by the error.
 */
bool stint_fail(struct stint_error **err, enum stint_code code, const char *format, ...) STINT_PRINTF(3, 4);
bool stint_fail_errno(struct stint_error **err, int errnum, const char *format, ...) STINT_PRINTF(3, 4); /* appends ": strerror" */
/* Puts "format: " before the message of *err and keeps the rest. Returns false. */
bool stint_fail_wrap(struct stint_error **err, const char *format, ...) STINT_PRINTF(2, 3);
/* Hands *from over to *to (frees it when to is NULL) and clears *from. Returns false. */
bool stint_error_move(struct stint_error **to, struct stint_error **from);
void stint_error_free(struct stint_error *err);
void stint_error_clear(struct stint_error **err); /* for STINT_CLEANUP */
#define stint_auto_error STINT_CLEANUP(stint_error_clear) struct stint_error

/* ---- memory -------------------------------------------------------------------------------------------------------------- */

/* For sizes of our own, and those of peers once they are bounded: they abort on failure and never return NULL. Freed with free(). */
void *stint_alloc(size_t size); /* zeroed */
void *stint_realloc(void *old, size_t size);
char *stint_strdup(const char *text); /* NULL stays NULL */
char *stint_strndup(const char *text, size_t length);
char *stint_format(const char *format, ...) STINT_PRINTF(1, 2);
char *stint_vformat(const char *format, va_list args) STINT_PRINTF(1, 0);

/* Makes room for `needed` items in *items (a pointer to a pointer), doubling *capacity. Amortised O(1) per item. */
void stint_grow(void *items, size_t *capacity, size_t needed, size_t item_size);

void stint_free_pointer(void *pointer_to_pointer); /* for STINT_CLEANUP on any malloc'd pointer */
void stint_close_fd(int *fd); /* for STINT_CLEANUP; closes when >= 0 and sets -1; keeps errno */
#define stint_autofree STINT_CLEANUP(stint_free_pointer)
#define stint_autoclose STINT_CLEANUP(stint_close_fd)
/* Takes what a scope-owned variable holds, so that the scope no longer frees it. */
#define stint_steal(pointer)                                 \
	__extension__({                                      \
		__typeof__(*(pointer)) stolen_ = *(pointer); \
		*(pointer) = NULL;                           \
		stolen_;                                     \
	})

/* An arena: many small allocations of one lifetime, freed together. Allocation is O(1); no single free. */
struct stint_arena;
struct stint_arena *stint_arena_new(size_t block_size); /* 0: a default of 64 KiB */
void *stint_arena_alloc(struct stint_arena *arena, size_t size); /* zeroed, aligned for any type */
char *stint_arena_strndup(struct stint_arena *arena, const char *text, size_t length);
void stint_arena_reset(struct stint_arena *arena); /* keeps its blocks for the next use */
size_t stint_arena_bytes(const struct stint_arena *arena);
void stint_arena_free(struct stint_arena *arena);

/* ---- text ---------------------------------------------------------------------------------------------------------------- */

/* Bytes somewhere else; not terminated. data may be NULL when length is 0. */
struct stint_slice {
	const char *data;
	size_t length;
};
struct stint_slice stint_slice_of(const char *text);
bool stint_slice_is(struct stint_slice slice, const char *text);
bool stint_slice_equal(struct stint_slice a, struct stint_slice b);
char *stint_slice_dup(struct stint_slice slice);

/* A growing buffer; data is NUL-terminated whenever it is not NULL. Zero-initialise it. Owner: whoever declares it. */
struct stint_buf {
	char *data;
	size_t length;
	size_t capacity;
};
void stint_buf_add(struct stint_buf *buf, const void *data, size_t length);
void stint_buf_puts(struct stint_buf *buf, const char *text);
void stint_buf_putc(struct stint_buf *buf, char c);
void stint_buf_printf(struct stint_buf *buf, const char *format, ...) STINT_PRINTF(2, 3);
void stint_buf_consume(struct stint_buf *buf, size_t length); /* drops bytes at the front */
void stint_buf_reset(struct stint_buf *buf); /* empty, memory kept */
void stint_buf_free(struct stint_buf *buf); /* also for STINT_CLEANUP */
char *stint_buf_steal(struct stint_buf *buf); /* never NULL; the buffer is empty afterwards */
/* Adds the bytes of the file (at most max_bytes, else an error that says so). "-" is standard input. */
bool stint_buf_read_file(struct stint_buf *buf, const char *path, size_t max_bytes, struct stint_error **err);
#define stint_auto_buf STINT_CLEANUP(stint_buf_free) struct stint_buf

/* Writes a file whole or not at all: a temporary sibling of the given mode, fsync, rename. */
bool stint_file_write(const char *path, const void *data, size_t length, mode_t mode, struct stint_error **err);
/* mkdir -p. */
bool stint_make_folders(const char *path, mode_t mode, struct stint_error **err);

bool stint_starts_with(const char *text, const char *prefix);
bool stint_ends_with(const char *text, const char *suffix);
/* Foreign text made safe for a terminal: control characters (but newline and tab) become '?' in place. */
void stint_sanitize(char *text);
/* The words of text cut at any character of separators, empty ones left out; a NULL-ended array, freed with stint_strings_free. */
char **stint_split(const char *text, const char *separators);
void stint_strings_free(char **strings);
/* Whole-text numbers within [low, high]; false when text is anything else. No leading blanks, no trailing bytes. */
bool stint_parse_int(const char *text, int64_t low, int64_t high, int64_t *out);
bool stint_parse_double(const char *text, double low, double high, double *out); /* rejects NaN, infinity and hex */

/* The candidate that word was most likely meant to be, or NULL: at most two typing errors, fewer for short words. */
struct stint_suggestion {
	const char *word;
	const char *best;
	size_t distance;
};
void stint_suggest(struct stint_suggestion *suggestion, const char *candidate);

/* ---- containers ---------------------------------------------------------------------------------------------------------- */

/*
 * A hash map from text to pointer. Keys are copied. The hash is seeded, so the order of iteration means nothing: whoever needs
 * an order sorts. Look-up, insertion and removal O(1) amortised.
 */
struct stint_map;
struct stint_map *stint_map_new(void (*free_value)(void *value)); /* free_value may be NULL */
/* Keys are not copied: each must stay as it is until it is removed, or set again with an equal text, which stands from then on. */
struct stint_map *stint_map_new_borrowing(void (*free_value)(void *value));
void *stint_map_get(const struct stint_map *map, const char *key);
void *stint_map_get_slice(const struct stint_map *map, struct stint_slice key);
bool stint_map_has(const struct stint_map *map, const char *key);
void stint_map_set(struct stint_map *map, const char *key, void *value); /* frees a former value */
bool stint_map_remove(struct stint_map *map, const char *key); /* true when it was there */
void *stint_map_take(struct stint_map *map, const char *key); /* removes without freeing the value */
size_t stint_map_count(const struct stint_map *map);
void stint_map_clear(struct stint_map *map);
void stint_map_free(struct stint_map *map);
/* for (size_t at = 0; stint_map_next(map, &at, &key, &value);) ... The map must not be changed meanwhile, but for removing
 * the entry just given. key and value may be NULL pointers. */
bool stint_map_next(const struct stint_map *map, size_t *at, const char **key, void **value);

/* ---- time ---------------------------------------------------------------------------------------------------------------- */

int64_t stint_now_ms(void); /* wall clock, milliseconds since 1970 UTC */
int64_t stint_now_us(void); /* wall clock, microseconds */
int64_t stint_monotonic_ms(void); /* for deadlines and intervals */
int64_t stint_monotonic_us(void);

#define STINT_TIME_SIZE 32
/* RFC 3339 as Kubernetes writes it: metav1.Time has seconds, MicroTime microseconds; always UTC with Z. */
char *stint_time_format(int64_t ms, char out[static STINT_TIME_SIZE]);
char *stint_time_format_micro(int64_t us, char out[static STINT_TIME_SIZE]);
/* Accepts fractions and numeric offsets. */
bool stint_time_parse(const char *text, size_t length, int64_t *ms);
bool stint_time_parse_micro(const char *text, size_t length, int64_t *us);
/* Go's duration syntax plus days: "1h30m", "90s", "250ms", "2d"; a bare number is seconds. Negative values are refused. */
bool stint_duration_parse(const char *text, int64_t *ms);
/* "5", "1.5": a number that a person may have meant in any unit. 0 is the same in all of them. */
bool stint_duration_lacks_unit(const char *text);
/* An age as kubectl prints it: "45s", "4m12s", "3h", "2d4h", "400d". */
char *stint_duration_format(int64_t ms, char out[static STINT_TIME_SIZE]);

/* ---- libraries --------------------------------------------------------------------------------------------------------------- */

/*
 * Loads a shared library by its soname and finds `count` functions by name: for large libraries that not every run needs. `functions` is a
 * struct of that many function pointers in the order of names; it is filled whole or not at all. The library stays loaded.
 */
bool stint_library_load(const char *file, const char *const *names, void *functions, size_t count, struct stint_error **err);

/* ---- encodings and randomness (OpenSSL behind them) ------------------------------------------------------------------------- */

char *stint_base64_encode(const void *data, size_t length);
/* Standard alphabet, padding required, white space between allowed. NULL when it is not base64. *length may be NULL. */
char *stint_base64_decode(const char *text, size_t text_length, size_t *length);
void stint_sha256_hex(const void *data, size_t length, char out[static 65]);
void stint_random_bytes(void *out, size_t length);
char *stint_uuid(char out[static 37]); /* version 4 */
/* `length` characters of Kubernetes' name suffix alphabet (bcdfghjklmnpqrstvwxz2456789), NUL-terminated: out holds length + 1. */
char *stint_random_suffix(char *out, size_t length);

/* ---- certificates --------------------------------------------------------------------------------------------------------- */

/* A P-256 key and its X.509 certificate, PEM. */
struct stint_certificate {
	char *certificate_pem;
	char *key_pem;
};
enum stint_certificate_use { STINT_CERTIFICATE_CA, STINT_CERTIFICATE_SERVER, STINT_CERTIFICATE_CLIENT };
/*
 * Signed by issuer, or by itself when issuer is NULL. alt_names: NULL-ended "IP:127.0.0.1" and "DNS:localhost" entries, or NULL;
 * organization may be NULL. Valid from five minutes ago for `days`. May block for entropy. *out is freed by the caller.
 */
bool stint_certificate_issue(const struct stint_certificate *issuer, enum stint_certificate_use use, const char *common_name,
	const char *organization, const char *const *alt_names, int days, struct stint_certificate *out, struct stint_error **err);
void stint_certificate_free(struct stint_certificate *certificate); /* wipes the key first */

/* ---- logging ------------------------------------------------------------------------------------------------------------- */

enum stint_log_level { STINT_LOG_ERROR, STINT_LOG_WARN, STINT_LOG_INFO, STINT_LOG_DEBUG };

/* Where messages go is the program's choice; a module that logs is given one of these. NULL stands for silence. */
struct stint_logger {
	void (*write)(void *user, enum stint_log_level level, const char *message);
	void *user;
	enum stint_log_level level;
};
void stint_log(const struct stint_logger *logger, enum stint_log_level level, const char *format, ...) STINT_PRINTF(3, 4);
/*
 * For main, first of all: standard streams that are closed are opened on /dev/null, the wrong way round, so that reading and writing fail as they
 * would. Else what is opened next would be given their numbers, and be written to.
 */
bool stint_standard_streams_keep(void); /* false: the system has no /dev/null */
/* A writer for daemons: "2026-11-24T06:00:00Z info  message" on a file descriptor (user points to an int). */
void stint_log_to_fd(void *user, enum stint_log_level level, const char *message);

/* ---- the event loop ------------------------------------------------------------------------------------------------------ */

/*
 * One thread owns a loop (epoll, a heap of timers, signalfd, pidfd). Handlers run on that thread and must not block. A handler may free
 * its own or any other watcher. Timers fire in order of their time; equal times in order of setting.
 */
struct stint_loop;
struct stint_loop *stint_loop_new(struct stint_error **err);
void stint_loop_free(struct stint_loop *loop); /* every watcher must have been freed before */
void stint_loop_run(struct stint_loop *loop); /* until stint_loop_stop */
void stint_loop_stop(struct stint_loop *loop);
/* One turn: waits at most timeout_ms (-1: until something happens), runs what is due. False when it was stopped. */
bool stint_loop_step(struct stint_loop *loop, int64_t timeout_ms);

enum { STINT_READ = 1, STINT_WRITE = 2 };
struct stint_watch_fd;
/* events: STINT_READ | STINT_WRITE; an error or hang-up is reported as those asked for. The fd stays the caller's. */
struct stint_watch_fd *stint_fd_watch(
	struct stint_loop *loop, int fd, int events, void (*handler)(void *user, int fd, int events), void *user);
void stint_fd_set(struct stint_watch_fd *watch, int events);
void stint_fd_unwatch(struct stint_watch_fd *watch); /* NULL is fine; before close(fd) */

struct stint_timer;
struct stint_timer *stint_timer_new(struct stint_loop *loop, void (*handler)(void *user), void *user); /* not running */
void stint_timer_set(struct stint_timer *timer, int64_t delay_ms); /* once, from now; replaces a former setting */
void stint_timer_stop(struct stint_timer *timer);
bool stint_timer_active(const struct stint_timer *timer);
void stint_timer_free(struct stint_timer *timer); /* NULL is fine */

/* Blocks the signal for the process and delivers it to the handler. One handler per signal; handler NULL restores the default. */
bool stint_signal_watch(
	struct stint_loop *loop, int signal_number, void (*handler)(void *user, int signal_number), void *user, struct stint_error **err);

/*
 * Calls the handler once with the wait status when the child has ended, and reaps it. When somebody else has reaped it, the status says that
 * it ended with STINT_CHILD_LOST.
 */
enum { STINT_CHILD_LOST = 255 };
struct stint_child;
struct stint_child *stint_child_watch(
	struct stint_loop *loop, pid_t pid, void (*handler)(void *user, pid_t pid, int wait_status), void *user, struct stint_error **err);
void stint_child_unwatch(struct stint_child *child);

#endif
