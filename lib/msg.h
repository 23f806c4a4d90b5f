/* msg: one-line messages on stderr, `tool: what: why`, and the exit codes of every tool.
 *
 * A service (msg_service) never waits for its log: a message that would block, or that comes faster than
 * ten a second after a burst of fifty, is dropped and counted; the count is told before the next message
 * that gets through. Other tools write and wait as usual. Control characters are shown as '?'. */
#ifndef MSG_H
#define MSG_H

enum { EXIT_OK = 0, EXIT_NEGATIVE = 1, EXIT_USAGE = 100, EXIT_BUG = 101, EXIT_TEMPORARY = 111 };

void msg_init(const char *tool);
void msg_service(void);

/* "tool: " + the formatted text + newline. */
void msg(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same followed by ": " and the text of errno. */
void msg_errno(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

void die(int code, const char *fmt, ...) __attribute__((noreturn, format(printf, 2, 3)));
void die_errno(int code, const char *fmt, ...) __attribute__((noreturn, format(printf, 2, 3)));
#endif
