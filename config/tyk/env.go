package tyk

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

const (
	envPrefix = "TYK_GW"
	// omitFile, when "true", makes the environment the only source [G-3].
	omitFile = "TYK_GW_OMITCONFIGFILE"
	// logLevel is the older name of TYK_GW_LOGLEVEL, and wins.
	logLevel = "TYK_LOGLEVEL"
)

// An environment holds variables by name.
type environment map[string]string

// overlay lays the TYK_GW_* variables over what the file says [G-3]. What has
// no effect is noticed.
func (l *loading) overlay() error {
	used := map[string]bool{omitFile: true}
	if err := l.env.fill(reflect.ValueOf(&l.conf).Elem(), envPrefix, used); err != nil {
		return err
	}
	if v := l.env[logLevel]; v != "" {
		l.conf.LogLevel = v
	}
	var unused []string
	for name := range l.env {
		if strings.HasPrefix(name, envPrefix+"_") && !used[name] {
			unused = append(unused, name)
		}
	}
	if slices.Sort(unused); len(unused) > 0 {
		names := strings.Join(unused, ", ")
		l.notices.add(Notice{File: "environment", Path: names, Level: slog.LevelWarn, Message: "has no effect here"}, names)
	}
	return nil
}

// fill gives the fields of a struct, and of those within it, the values of
// their variables, and records which these are.
func (e environment) fill(v reflect.Value, prefix string, used map[string]bool) error {
	for i := range v.NumField() {
		name := prefix + "_" + strings.ToUpper(v.Type().Field(i).Name)
		field := v.Field(i)
		if field.Kind() == reflect.Struct {
			if err := e.fill(field, name, used); err != nil {
				return err
			}
			continue
		}
		used[name] = true
		value, ok := e[name]
		if !ok || value == "" && field.Kind() != reflect.String {
			continue
		}
		if err := setField(field, value); err != nil {
			return fmt.Errorf("%s: %q: %w", name, value, err)
		}
	}
	return nil
}

// setField gives a field the value that a variable spells: lists as "a,b",
// maps as "k:v,k:v", lists of objects as JSON.
func setField(field reflect.Value, value string) error {
	switch field.Kind() {
	case reflect.String:
		field.SetString(value)
	case reflect.Bool:
		b, err := strconv.ParseBool(value)
		field.SetBool(b)
		return err
	case reflect.Pointer:
		field.Set(reflect.New(field.Type().Elem()))
		return setField(field.Elem(), value)
	case reflect.Int, reflect.Int64:
		n, err := strconv.ParseInt(value, 0, field.Type().Bits())
		field.SetInt(n)
		return err
	case reflect.Float64:
		f, err := strconv.ParseFloat(value, 64)
		field.SetFloat(f)
		return err
	case reflect.Map:
		m := map[string]string{}
		for pair := range strings.SplitSeq(value, ",") {
			k, v, ok := strings.Cut(pair, ":")
			if !ok {
				return fmt.Errorf("%q is not key:value", pair)
			}
			m[k] = v
		}
		field.Set(reflect.ValueOf(m))
	case reflect.Slice:
		if field.Type().Elem().Kind() != reflect.String {
			return json.Unmarshal([]byte(value), field.Addr().Interface())
		}
		field.Set(reflect.ValueOf(strings.Split(value, ",")))
	default:
		return fmt.Errorf("a %s cannot be set by a variable", field.Kind())
	}
	return nil
}
