/* cam-harden-check: audits a device against a policy, and writes the configuration that it checks. */
#define _GNU_SOURCE
#include "evidence.h"
#include "where.h"

int main(void)
{
	return 111;
}
