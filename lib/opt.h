/* opt: short options by getopt, with the house's errors: an unknown option, a missing argument, a number
 * out of range or an option given twice ends the tool with `tool: ...` and exit 100. */
#ifndef OPT_H
#define OPT_H
#include <stdint.h>

/* The next option letter, or -1 at the operands (argv[optind]). spec as for getopt, without a leading
 * colon; repeatable lists the letters that may be given more than once. usage is printed on an error. */
int opt_next(int argc, char **argv, const char *spec, const char *repeatable, const char *usage);

/* optarg as a decimal number in min..max. */
uint64_t opt_number(int letter, uint64_t min, uint64_t max);
/* The same with a unit, see number.h. */
uint64_t opt_bytes(int letter, uint64_t min, uint64_t max);
uint64_t opt_seconds(int letter, uint64_t min, uint64_t max);

/* optarg as the descriptor for readiness (-D): 3 to 1023 and open. */
int opt_ready_fd(void);

/* Write the newline that says ready to fd and close it; -1 means nobody asked. */
void ready_say(int fd);
#endif
