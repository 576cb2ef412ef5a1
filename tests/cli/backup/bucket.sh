# An object store that does not answer: said in time, with its name and without its keys.
printf 'very-secret-key\n' >secret
run matter-backup init s3://bucket/repo --s3-endpoint http://127.0.0.1:1 --s3-region eu-west-1 --s3-access-key ID \
	--s3-secret-key-file secret --s3-style path
MATTERARK_S3_SECRET_KEY=very-secret MATTERARK_S3_SESSION_TOKEN=token run matter-backup list s3://bucket/repo \
	--s3-access-key ID --show-config | grep s3
