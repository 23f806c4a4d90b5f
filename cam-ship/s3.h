/* s3: the steps by which a segment becomes an object in a bucket. */
#ifndef S3_H
#define S3_H
#include "upload.h"

/* Prepare the first request: UPLOAD_GOES_ON, or why that cannot be. */
enum verdict s3_start(struct upload *u);
/* Judge u->transfer.res: UPLOAD_GOES_ON with the next request prepared, or a verdict. */
enum verdict s3_next(struct upload *u);
#endif
