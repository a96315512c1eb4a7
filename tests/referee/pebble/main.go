// Reads tables with the pebble that lakeFS pins, and compares them with the listings beside them.
//
// Usage: pebble FOLDER. For each NAME.sst in the folder, NAME.list has a line for each record: key and value in
// hexadecimal, with a space between them.
package main

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/cockroachdb/pebble"
	"github.com/cockroachdb/pebble/sstable"
)

type record struct{ key, value []byte }

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "pebble:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: pebble FOLDER")
	}
	tables, err := filepath.Glob(filepath.Join(args[0], "*.sst"))
	if err != nil {
		return err
	}
	if len(tables) == 0 {
		return fmt.Errorf("no tables in %q", args[0])
	}
	for _, table := range tables {
		count, err := check(table)
		if err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(table), err)
		}
		fmt.Printf("pebble: %s: %d records\n", filepath.Base(table), count)
	}
	return nil
}

func check(table string) (int, error) {
	expected, err := readListing(strings.TrimSuffix(table, ".sst") + ".list")
	if err != nil {
		return 0, err
	}
	file, err := os.ReadFile(table)
	if err != nil {
		return 0, err
	}
	reader, err := sstable.NewMemReader(file, sstable.ReaderOptions{
		Comparer:   pebble.DefaultComparer,
		MergerName: pebble.DefaultMerger.Name,
	})
	if err != nil {
		return 0, err
	}
	defer reader.Close()
	if err := reader.ValidateBlockChecksums(); err != nil {
		return 0, err
	}
	if err := checkProperties(&reader.Properties, len(expected)); err != nil {
		return 0, err
	}
	iterator, err := reader.NewIter(nil, nil)
	if err != nil {
		return 0, err
	}
	defer iterator.Close()
	if err := checkScan(iterator, expected); err != nil {
		return 0, err
	}
	return len(expected), checkSeeks(iterator, expected)
}

func checkProperties(properties *sstable.Properties, count int) error {
	if properties.NumEntries != uint64(count) {
		return fmt.Errorf("properties count %d records, %d were written", properties.NumEntries, count)
	}
	if kind := properties.UserProperties["type"]; kind != "ranges" {
		return fmt.Errorf("property \"type\" is %q", kind)
	}
	return nil
}

func checkScan(iterator sstable.Iterator, expected []record) error {
	key, value := iterator.First()
	for index, record := range expected {
		if key == nil {
			return fmt.Errorf("the scan ends after %d of %d records: %v", index, len(expected), iterator.Error())
		}
		if err := compare(key.UserKey, value.ValueOrHandle, record); err != nil {
			return fmt.Errorf("scan, record %d: %w", index, err)
		}
		key, value = iterator.Next()
	}
	if key != nil {
		return fmt.Errorf("the scan finds %q after the last record", key.UserKey)
	}
	return iterator.Error()
}

// Seeks each key, from the last to the first so that no seek can be a step, and what comes right before and after it.
func checkSeeks(iterator sstable.Iterator, expected []record) error {
	for index := len(expected) - 1; index >= 0; index-- {
		record := expected[index]
		if err := checkSeek(iterator, record.key, expected[index:]); err != nil {
			return err
		}
		if err := checkSeek(iterator, append(bytes.Clone(record.key), 0), expected[index+1:]); err != nil {
			return err
		}
	}
	return nil
}

// Seeks `target`, which is to find the first of the records, or none if there are none at or after it.
func checkSeek(iterator sstable.Iterator, target []byte, records []record) error {
	for len(records) > 0 && bytes.Compare(records[0].key, target) < 0 {
		records = records[1:]
	}
	key, value := iterator.SeekGE(target, 0)
	if err := iterator.Error(); err != nil {
		return fmt.Errorf("seek of %q: %w", target, err)
	}
	if len(records) == 0 {
		if key != nil {
			return fmt.Errorf("seek of %q finds %q after the last record", target, key.UserKey)
		}
		return nil
	}
	if key == nil {
		return fmt.Errorf("seek of %q finds nothing", target)
	}
	if err := compare(key.UserKey, value.ValueOrHandle, records[0]); err != nil {
		return fmt.Errorf("seek of %q: %w", target, err)
	}
	return nil
}

func compare(key, value []byte, expected record) error {
	if !bytes.Equal(key, expected.key) {
		return fmt.Errorf("key %q instead of %q", key, expected.key)
	}
	if !bytes.Equal(value, expected.value) {
		return fmt.Errorf("key %q has another value than was written", key)
	}
	return nil
}

func readListing(name string) ([]record, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var records []record
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		key, value, found := strings.Cut(lines.Text(), " ")
		if !found {
			return nil, fmt.Errorf("%s: line %d has no space", name, len(records)+1)
		}
		record, err := decode(key, value)
		if err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", name, len(records)+1, err)
		}
		records = append(records, record)
	}
	return records, lines.Err()
}

func decode(key, value string) (record, error) {
	keyBytes, err := hex.DecodeString(key)
	if err != nil {
		return record{}, err
	}
	valueBytes, err := hex.DecodeString(value)
	return record{keyBytes, valueBytes}, err
}
