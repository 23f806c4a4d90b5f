/* sandbox: gives up, for ever and for every thread, what a profile does not name.
 *
 * In this order: no new privileges, not dumpable, resource limits, capability sets, Landlock (these bind the
 * calling thread and its later children: call before any thread starts), then the system calls of all
 * threads. Whatever fails ends the tool with exit 111. */
#ifndef SANDBOX_H
#define SANDBOX_H
#include "profile.h"

/* A kernel without Landlock is refused, unless sandbox_waive() was called before. Builds with sanitizers only
 * say that they run without. path: what the places of p are this time, in order, n of them; those beyond the
 * last place count for it. One that is NULL or not there is passed over: nothing is allowed for it. */
extern const char sandbox_next[]; /* instead of a path: the paths behind it are of the next place */
void sandbox_enter(const struct profile *p, const char *const *path, size_t n);

/* The same in two steps, for a tool that starts threads in between. */
void sandbox_confine(const struct profile *p, const char *const *path, size_t n);
void sandbox_filter(const struct profile *p);

/* Later, under a filter that has the group "narrowing": what a phase that is over had and the next has not.
 * The descriptors and limits stay as they are. */
void sandbox_narrow(const struct profile *p, const char *const *path, size_t n);

/* The port behind PORT_SERVER: to be called before a profile that has it. */
void sandbox_server(unsigned port);

/* The addresses behind CALL_FOUND, as pointers: the filter compares where an address lies, so it must lie in
 * memory that nobody can write to or replace any more. n at most SANDBOX_FOUND_MAX. */
enum { SANDBOX_FOUND_MAX = 16 };
struct sandbox_address {
	const void *at;
	unsigned bytes;
};
void sandbox_found(const struct sandbox_address *address, size_t n);

/* 0 in a build that runs without, which is then said, once. */
int sandbox_is_built(void);

/* For the option -Z, whose argument must be "landlock": go on where the kernel has none. */
void sandbox_waive(const char *what);

/* The filter of p as libseccomp's context (a void * of libseccomp.h's scmp_filter_ctx), of the architecture
 * with this SCMP_ARCH_* token or 0 for this one. NULL with errno. For sandbox_filter() and the tests. */
void *sandbox_context(const struct profile *p, unsigned arch);
#endif
