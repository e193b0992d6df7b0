package store

import (
	"context"
	"fmt"
)

// Pages says to which table or index each page of the database belongs, by its number; those that belong to none are not there. It is for measurements: it reads
// the whole database.
func (s *Store) Pages(ctx context.Context) (map[uint32]string, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT pageno, name FROM dbstat`)
	if err != nil {
		return nil, fmt.Errorf("read whose the database's pages are: %w", err)
	}
	defer rows.Close()
	pages := map[uint32]string{}
	for rows.Next() {
		var number uint32
		var name string
		if err := rows.Scan(&number, &name); err != nil {
			return nil, fmt.Errorf("read whose the database's pages are: %w", err)
		}
		pages[number] = name
	}
	return pages, rows.Err()
}
