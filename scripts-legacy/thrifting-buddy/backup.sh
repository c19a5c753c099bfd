#!/bin/sh
# /backup.sh of the backup service.
set -e
DATE=$(date +%Y%m%d_%H%M%S)
FILE="/backups/thrifting_buddy_$DATE.sql"

pg_dump "postgresql://$POSTGRES_USER:$POSTGRES_PASSWORD@postgres:5432/$POSTGRES_DB" > "$FILE"
gzip "$FILE"

if [ -n "$S3_BUCKET_NAME" ]; then
    aws s3 cp "$FILE.gz" "s3://$S3_BUCKET_NAME/backups/" || true
fi
find /backups -name "*.gz" -mtime +7 -delete
echo "Backup completed: $FILE.gz"
