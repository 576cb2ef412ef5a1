# Every option can stand in a file; secrets are not shown.
printf '[matter-purge]\nbatch = 50\npause = 5\nkeep-pinned = yes\nmattermost-config = /nowhere/config.json\n' >ark.conf
MATTERARK_S3_SECRET_KEY=very-secret run matter-purge apply p --config ark.conf --show-config | grep -E '^(batch|pause|s3-secret-key|mattermost)'
run matter-purge plan --config ark.conf --embedded=nowhere --show-config | grep -E 'keep-pinned|embedded'
